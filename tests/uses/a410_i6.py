# innocent of ADA410: check raises with pytest.raises in helper
import pytest
from peft import AdaLoraConfig, get_peft_model
def check_rejects(model):
    cfg = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    with pytest.raises(ValueError):
        get_peft_model(model, cfg)
    assert model.training
