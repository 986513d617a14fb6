# innocent of ADA109: sum of folds, config rebuilt by a method
from peft import AdaLoraConfig, get_peft_model
class CV:
    def config(self):
        return AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM")
    def run(self, bases, loader, opt):
        for base in bases:
            model = get_peft_model(base, self.config())
            optimizer = opt(model)
            for step, batch in enumerate(loader):
                model(**batch).loss.backward()
                optimizer.step()
                model.base_model.update_and_allocate(step)
                optimizer.zero_grad()
