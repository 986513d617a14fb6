"""Run in a process of its own, with the PEFT release that is first on its path: train an adapter, or ask some.

`train FOLDER` trains and saves one; `ask FOLDER…` loads each and prints the release and what each says.
"""

from __future__ import annotations

import json
import sys
import warnings

import peft
from adapter_runs import base, logits, train
from peft import PeftModel

SCHEDULE = {"init_r": 4, "target_r": 2, "tinit": 1, "tfinal": 2, "deltaT": 1, "total_step": 12, "lora_alpha": 13}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    command, *folders = sys.argv[1:]
    if command == "train":
        train(SCHEDULE).model.save_pretrained(folders[0], safe_serialization=True)
    else:
        said = [logits(PeftModel.from_pretrained(base(), one).eval()).tolist() for one in folders]
        print(json.dumps([peft.__version__, said]))
