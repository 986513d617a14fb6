# innocent of ADA412: isinstance check
from torch.nn.parallel import DistributedDataParallel
from peft import AdaLoraConfig, get_peft_model
def main(model, loader, optimizer, ddp):
    model = get_peft_model(model, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    if ddp:
        model = DistributedDataParallel(model)
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        if isinstance(model, DistributedDataParallel):
            model.module.base_model.update_and_allocate(step)
        else:
            model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
