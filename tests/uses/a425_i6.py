# innocent of ADA425: rank_pattern cleared and init_r set in config passed to from_pretrained
from peft import AdaLoraConfig, PeftModel, PeftConfig
def main(base, loader, optimizer):
    cfg = PeftConfig.from_pretrained("old")
    cfg.rank_pattern = None
    model = PeftModel.from_pretrained(base, "old", config=cfg, is_trainable=True)
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
