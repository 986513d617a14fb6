# innocent of ADA410: smoke check, then model is deleted
from peft import AdaLoraConfig, get_peft_model
def supported(model):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    try:
        get_peft_model(model, cfg)
    except ValueError:
        return False
    finally:
        del model
    return True
