# innocent of ADA412: own subclass of DDP forwards attributes
from torch.nn.parallel import DistributedDataParallel
from peft import AdaLoraConfig, get_peft_model
class MyDDP(DistributedDataParallel):
    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.module, name)
def main(model, loader, optimizer):
    model = MyDDP(get_peft_model(model, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")))
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
