# innocent of ADA109: to_dict round trip
from peft import AdaLoraConfig, get_peft_model
def main(bases, loader, opt):
    proto = AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    kwargs = proto.to_dict()
    for base in bases:
        model = get_peft_model(base, AdaLoraConfig(**kwargs))
        optimizer = opt(model)
        for step, batch in enumerate(loader):
            model(**batch).loss.backward()
            optimizer.step()
            model.base_model.update_and_allocate(step)
            optimizer.zero_grad()
