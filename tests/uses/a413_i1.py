# innocent of ADA413: two different models of one name in branches
from peft import AdaLoraConfig, get_peft_model
def main(model, plain):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    if plain:
        model.add_adapter(cfg)
        return model
    return get_peft_model(model, cfg)
