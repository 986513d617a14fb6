# style: trainer
# runs: never allocates; live 24 kept none
# fixed: live 12 kept 12
import torch
from peft import AdaLoraConfig, TaskType, get_peft_model
from transformers import Seq2SeqTrainer, Seq2SeqTrainingArguments, T5Config, T5ForConditionalGeneration, TrainerCallback


class LossPrinter(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **kwargs):
        print(logs)


def main():
    base = T5ForConditionalGeneration(
        T5Config(vocab_size=32, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2, decoder_start_token_id=0)
    )
    config = AdaLoraConfig(
        init_r=4,
        target_r=2,
        tinit=2,
        tfinal=3,
        deltaT=2,
        total_step=12,
        target_modules=["q", "v"],
        task_type=TaskType.SEQ_2_SEQ_LM,
    )
    model = get_peft_model(base, config)
    rows = [{"input_ids": ids, "labels": ids} for ids in torch.randint(0, 32, (24, 8)).tolist()]
    arguments = Seq2SeqTrainingArguments(
        output_dir="out", max_steps=12, per_device_train_batch_size=2, save_strategy="no", report_to="none", use_cpu=True
    )
    trainer = Seq2SeqTrainer(model=model, args=arguments, train_dataset=rows, callbacks=[LossPrinter()])
    trainer.train()  # expect: ADA401


main()
