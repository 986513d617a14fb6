# innocent of ADA425: saved untrained init in one script, continued in the next run (adapter "adalora-init")
from peft import PeftModel
def main(base, loader, optimizer):
    model = PeftModel.from_pretrained(base, "adalora-init", is_trainable=True)
    model.peft_config["default"].rank_pattern is None or exit()
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
