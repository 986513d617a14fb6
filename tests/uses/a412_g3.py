# guilty of ADA412: passed to a function
from torch.nn.parallel import DistributedDataParallel as DDP
from peft import AdaLoraConfig, get_peft_model
def fit(net, loader, optimizer):
    for step, batch in enumerate(loader):
        net(**batch).loss.backward()
        optimizer.step()
        net.base_model.update_and_allocate(step)
        optimizer.zero_grad()
def main(base, loader, optimizer):
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    ddp = DDP(model)
    fit(ddp, loader, optimizer)
