# innocent of ADA412: DDP only if distributed, call on raw
from torch.nn.parallel import DistributedDataParallel as DDP
from peft import AdaLoraConfig, get_peft_model
def main(model, loader, optimizer, world):
    model = get_peft_model(model, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    raw = model
    if world > 1:
        model = DDP(model)
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        raw.base_model.update_and_allocate(step)
        optimizer.zero_grad()
