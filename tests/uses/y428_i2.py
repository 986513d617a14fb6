# innocent of ADA428: evaluated with labels popped in T5 decoder_input_ids
from peft import AdaLoraConfig, PeftModel, get_peft_model
from transformers import Seq2SeqTrainer
def main(base, fresh, loader, optimizer, args, ds):
    model = get_peft_model(base, AdaLoraConfig(init_r=12, target_r=8, tinit=200, tfinal=500, total_step=3000, task_type="CAUSAL_LM"))
    for step, batch in enumerate(loader):
        model(**batch).loss.backward()
        optimizer.step()
        model.base_model.update_and_allocate(step)
        optimizer.zero_grad()
    model.save_pretrained("o")
    m = PeftModel.from_pretrained(fresh, "o", is_trainable=True)
    return Seq2SeqTrainer(model=m, args=args, eval_dataset=ds).evaluate()
