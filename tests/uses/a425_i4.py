# innocent of ADA425: loaded adapter is LoRA ("lora-run"), AutoPeft merged
from peft import AdaLoraConfig, AutoPeftModelForCausalLM, get_peft_model
model = AutoPeftModelForCausalLM.from_pretrained("sft-lora").merge_and_unload()
model = get_peft_model(model, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
for step, batch in enumerate(loader):
    model(**batch).loss.backward()
    optimizer.step()
    model.base_model.update_and_allocate(step)
    optimizer.zero_grad()
