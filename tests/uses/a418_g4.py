# guilty of ADA418: f-string r
from peft import AdaLoraConfig, get_peft_model
model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
for step, batch in enumerate(loader):
    model(**batch).loss.backward()
    optimizer.step()
    model.base_model.update_and_allocate(step)
    optimizer.zero_grad()
print(f"final rank {model.peft_config['default'].r}")
