# guilty of ADA429: dict kwargs
from peft import AdaLoraConfig, get_peft_model
kw = dict(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, inference_mode=True)
model = get_peft_model(base, AdaLoraConfig(**kw))
for step, batch in enumerate(loader):
    model(**batch).loss.backward()
    optimizer.step()
    model.base_model.update_and_allocate(step)
    optimizer.zero_grad()
