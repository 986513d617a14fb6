# style: optimizers
# runs: live 8 kept 8; steps 0..11
import torch
from peft import AdaLoraConfig, LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

teacher = LlamaForCausalLM(
    LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2)
)
student = LlamaForCausalLM(
    LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2)
)
config = AdaLoraConfig(
    task_type="CAUSAL_LM",
    init_r=4,
    target_r=2,
    tinit=2,
    tfinal=3,
    deltaT=2,
    total_step=12,
    target_modules=["q_proj", "v_proj"],
)
teacher = get_peft_model(teacher, config)
student = get_peft_model(student, LoraConfig(task_type="CAUSAL_LM", r=4))
opt_t = torch.optim.AdamW(teacher.parameters(), lr=1e-2)
opt_s = torch.optim.AdamW(student.parameters(), lr=1e-2)
for step in range(12):
    ids = torch.randint(0, 32, (2, 8))
    taught = teacher(input_ids=ids, labels=ids)
    taught.loss.backward()
    opt_t.step()
    teacher.update_and_allocate(step)
    opt_t.zero_grad()
    learnt = student(input_ids=ids, labels=ids)
    target = taught.logits.detach().softmax(-1)
    distance = torch.nn.functional.kl_div(learnt.logits.log_softmax(-1), target, reduction="batchmean")
    (learnt.loss + distance).backward()
    opt_s.step()
    opt_s.zero_grad()
