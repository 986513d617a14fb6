# innocent of ADA418: name re-bound after merge
from peft import AdaLoraConfig, get_peft_model
from peft import LoraConfig
model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
for step, batch in enumerate(loader):
    model(**batch).loss.backward()
    optimizer.step()
    model.base_model.update_and_allocate(step)
    optimizer.zero_grad()
model = model.merge_and_unload()
model = get_peft_model(model, LoraConfig(r=4))
model.print_trainable_parameters()
