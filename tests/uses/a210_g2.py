# guilty of ADA210: accelerate
from accelerate import Accelerator
from torch.utils.data import DataLoader
from peft import AdaLoraConfig, get_peft_model
def main(model, data, optimizer):
    accelerator = Accelerator(gradient_accumulation_steps=4)
    loader = DataLoader(data, batch_size=4)
    cfg = AdaLoraConfig(init_r=12, target_r=8, total_step=3 * len(loader), task_type="CAUSAL_LM")
    model = get_peft_model(model, cfg)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    step = 0
    for epoch in range(3):
        for batch in loader:
            with accelerator.accumulate(model):
                accelerator.backward(model(**batch).loss)
                optimizer.step()
                if accelerator.sync_gradients:
                    accelerator.unwrap_model(model).base_model.update_and_allocate(step)
                    step += 1
                optimizer.zero_grad()
