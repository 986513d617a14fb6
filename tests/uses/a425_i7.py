# innocent of ADA425: guarded by hasattr/type in common loop for LoRA adapters
from peft import PeftModel
def main(base, loader, optimizer):
    model = PeftModel.from_pretrained(base, "any", is_trainable=True)
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        if getattr(model.active_peft_config, "rank_pattern", None) is None:
            model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
