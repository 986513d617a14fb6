# innocent of ADA414: expected failure
import pytest
from peft import AdaLoraConfig, get_peft_model
def test_two(model):
    model = get_peft_model(model, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"), adapter_name="one")
    with pytest.raises(ValueError):
        model.add_adapter("two", AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
