# guilty of ADA427: autocast off
import torch
from transformers import AutoModel
from peft import AdaLoraConfig, get_peft_model
base = AutoModel.from_pretrained("x", torch_dtype="float16")
model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"), autocast_adapter_dtype=False)
for step, batch in enumerate(loader):
    model(**batch).loss.backward()
    optimizer.step()
    model.base_model.update_and_allocate(step)
    optimizer.zero_grad()
