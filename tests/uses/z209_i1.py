# innocent of ADA209: name dataset but is sized in batches by a collator class, loader by BatchSampler; eval batch_size kw in pipeline only
from peft import AdaLoraConfig, get_peft_model
def main(model, optimizer, packed_dataset, pipe):
    cfg = AdaLoraConfig(init_r=12, target_r=8, total_step=len(packed_dataset), task_type="CAUSAL_LM")
    model = get_peft_model(model, cfg)
    it = iter(packed_dataset)
    for step in range(len(packed_dataset)):
        batch = next(it)
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
    pipe("x", batch_size=16)
