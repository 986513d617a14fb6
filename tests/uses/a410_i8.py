# innocent of ADA410: inject for loading + set_peft_model_state_dict
from peft import AdaLoraConfig, inject_adapter_in_model, set_peft_model_state_dict
def load(model, state):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    model = inject_adapter_in_model(cfg, model)
    set_peft_model_state_dict(model, state)
    return model.eval()
