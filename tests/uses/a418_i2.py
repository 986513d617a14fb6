# innocent of ADA418: r of another object (regex r, args.r)
from peft import AdaLoraConfig, get_peft_model
def main(base, loader, optimizer, args):
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
    print(args.r, model.peft_config["default"].rank_pattern)
