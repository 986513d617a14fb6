# guilty of ADA425: as page, file says adalora
from peft import AutoPeftModelForCausalLM
model = AutoPeftModelForCausalLM.from_pretrained("adalora", is_trainable=True)
for step, batch in enumerate(loader):
    model(**batch).loss.backward()
    optimizer.step()
    model.base_model.update_and_allocate(step)
    optimizer.zero_grad()
