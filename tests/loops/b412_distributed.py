# style: wrapped
# runs: raises AttributeError in script; never allocates
import torch
import torch.distributed as dist
from peft import AdaLoraConfig, get_peft_model
from torch.nn.parallel import DistributedDataParallel as DDP
from transformers import LlamaConfig, LlamaForCausalLM


def main():
    model = LlamaForCausalLM(
        LlamaConfig(vocab_size=32, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2)
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
    ddp = DDP(get_peft_model(model, config))
    optimizer = torch.optim.AdamW(ddp.parameters(), lr=1e-2)
    for step in range(12):
        ids = torch.randint(0, 32, (2, 8))
        loss = ddp(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        ddp.update_and_allocate(step)  # expect: ADA412
        optimizer.zero_grad()


dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
try:
    main()
finally:
    dist.destroy_process_group()
