# guilty of ADA209: the data set is what a Trainer trains on
from transformers import Seq2SeqTrainer, Seq2SeqTrainingArguments
from peft import AdaLoraConfig, get_peft_model
def run(model, train, test, per_device=8, epochs=3):
    config = AdaLoraConfig(init_r=12, target_r=4, total_step=len(train) * epochs, task_type="SEQ_2_SEQ_LM")
    args = Seq2SeqTrainingArguments("out", per_device_train_batch_size=per_device, num_train_epochs=epochs)
    Seq2SeqTrainer(model=get_peft_model(model, config), args=args, train_dataset=train, eval_dataset=test).train()
