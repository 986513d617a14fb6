# guilty of ADA429: class
from peft import AdaLoraConfig, get_peft_model
class A:
    def __init__(self, base):
        self.m = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM", inference_mode=True))
    def fit(self, loader, optimizer):
        for step, batch in enumerate(loader):
            self.m(**batch).loss.backward()
            optimizer.step()
            self.m.base_model.update_and_allocate(step)
            optimizer.zero_grad()
