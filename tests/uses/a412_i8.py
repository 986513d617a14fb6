# innocent of ADA412: FSDP forwards attributes (FullyShardedDataParallel.__getattr__ goes to the module)
from torch.distributed.fsdp import FullyShardedDataParallel as FSDP
from peft import AdaLoraConfig, get_peft_model
def main(model, loader, optimizer):
    model = FSDP(get_peft_model(model, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")), use_orig_params=True)
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.update_and_allocate(step)
        optimizer.zero_grad()
