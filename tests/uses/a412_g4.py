# guilty of ADA412: wrapped, flat
from torch.nn import DataParallel
from peft import AdaLoraConfig, get_peft_model
config = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
model = get_peft_model(base, config)
model = DataParallel(model).cuda()
for step, batch in enumerate(loader):
    model(**batch).loss.mean().backward()
    optimizer.step()
    model.update_and_allocate(step)
    optimizer.zero_grad()
