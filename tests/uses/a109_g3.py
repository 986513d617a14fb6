# guilty of ADA109: flat notebook, two models one after another
from peft import AdaLoraConfig, get_peft_model
config = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
model = get_peft_model(base1, config)
for step, batch in enumerate(loader):
    model(**batch).loss.backward()
    optimizer.step()
    model.base_model.update_and_allocate(step)
    optimizer.zero_grad()
model.save_pretrained("one")
model = get_peft_model(base2, config)
for step, batch in enumerate(loader):
    model(**batch).loss.backward()
    optimizer.step()
    model.base_model.update_and_allocate(step)
    optimizer.zero_grad()
model.save_pretrained("two")
