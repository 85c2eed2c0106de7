"""Words and signs that mean the same in answers about attention, shared by all banks."""

from __future__ import annotations

CONTRACTIONS = (
    (r"\bcan'?t\b|\bcannot\b", "can not"), (r"\bwon't\b", "will not"), (r"n't\b", " not"),
    (r"\b(is|are|was|were|do|does|did|would|should|could|has|have)nt\b", r"\1 not"),
    (r"\b(it|that|there|what|he|she|who)'s\b", r"\1 is"),
    (r"\b(we|you|they)'re\b", r"\1 are"), (r"'(?:ll|ve|d|m|re)\b", " will"),
)  # fmt: skip
SHORT = (
    (r"\bw/o\b", "without"), (r"\bw/", "with "), (r"\be\.g\.", "eg"), (r"\bi\.e\.", "ie"),
    (r"\b(vs|etc|approx|incl|resp)\.", r"\1"),
    (r"\b(\w\w?)\.(?=[a-z])", r"\1 "),
)  # fmt: skip
SIGNS = (
    (r"[-=]+>|[→⇒]", " gives "), (r"!=|≠", " not equals "), (r"<=|≤", " at most "),
    (r">=|≥", " at least "), (r">+", " exceeds "), (r"<+", " below "), (r"[~≈]", " about "),
    (r"∝", " proportional "), (r"(?<=\w)\(([^()\n]{1,16})\)", r" \1 "),
)  # fmt: skip
MATHS = (
    (r"\^\s*[({]?\s*-\s*(?:0?\.5|1/2)[)}]?", " sqrt "),
    (r"√\s*", " sqrt "),
    (r"\b(?:the )?square root (?:of )?", " sqrt "),
    (r"\broot of\b", "sqrt"),
    (r"\b([a-z0-9]+)[- ]squared\b|\bsquare of (?:the )?([a-z0-9]+)\b", r"\1\2^2"),
    (r"\b([a-z0-9]+) cubed\b", r"\1^3"),
    (r"\b([a-z])(?: ?[x*] ?|[- ]by[- ]|[- ]times[- ])\1\b", r"\1^2"),
    (r"\b(\d+)([a-z]*?)([a-z])\^", r"\1 \2 \3^"),
    (r"\b([a-z])([a-z])\^", r"\1 \2^"),
    (r"(?<=\d)([kmgt]i?b)\b", r" \1"),
    (r"(?<=\d)x\b|\bx(?=\d)|(?<= )\*(?=\d)", " times "),
    (r"\bminus inf(?:inity)?\b|-\s?inf(?:inity)?\b|-\s?∞|\bnegative infinity\b", " neginf "),
    (r"(?<=\d),(?=\d{3}\b)", ""),
)
_SLOW = "(?:memory|hbm|dram|io|bandwidth|bw)"
_BOUND = "(?:bound|limited|bottlenecked|constrained)"
IDIOMS = (
    (r"\bnot? (?:any ?more|any longer)\b|\bno longer\b", "not"),
    (r"\bnothing to do\b", "idle"),
    (r"\b(?:feed[- ]?forward|ffn)(?: (?:network|layer|part|block)s?)?\b", "mlp"),
    (r"\b(?:main|global|device|off-chip|gpu) (?:memory|ram)\b|\bgmem\b", "hbm memory"),
    (r"\bshared[ -]mem(?:ory)?\b|\bsmem\b|\b(?:fast|local) on-?chip memory\b", "sram"),
    (r"\b(?:multiply|mul)[- ]?(?:adds?|accumulates?)\b|\b(?:macs|fmas)\b", "flops"),
    (r"\btimes? to (?:the )?first (?:token|word)\b", "ttft"),
    (
        r"\btimes? (?:per|for each|between) (?:output )?tokens?\b|\binter-?token latency\b|\bitl\b",
        "tpot",
    ),
    (r"\b(?:a2a|all2all)\b", "all-to-all"),
    (r"\b(?:standard deviation|std[. ]?dev(?:iation)?)\b", "std"),
    (r"\bback ?prop(?:agation)?\b", "backward"),
    (
        rf"\b{_SLOW}[- ](?:bandwidth )?{_BOUND}\b|\b{_BOUND} by (?:the )?{_SLOW}\b",
        "bandwidth memory bound",
    ),
)
"""Phrases of several words, or of signs, that count as one word."""
ABBREVIATIONS = {
    "accum": "accumulator", "addl": "additional", "approx": "approximately",
    "attn": "attention", "avg": "average", "bc": "because", "bw": "bandwidth", "bwd": "backward",
    "calc": "calculate", "coeffs": "coefficients", "comm": "communication", "comp": "component",
    "comps": "components", "ctx": "context", "cuz": "because",
    "dec": "decoder", "denom": "denominator", "dim": "dimension", "dims": "dimensions",
    "enc": "encoder", "eps": "epsilon",
    "fwd": "forward", "grad": "gradient", "grads": "gradients", "indep": "independent",
    "len": "length", "lens": "lengths", "mat": "matrix", "means": "signify", "mem": "memory",
    "neg": "negative", "param": "parameter",
    "params": "parameters", "perf": "performance", "pos": "position", "prev": "previous",
    "prob": "probability", "probs": "probabilities", "proj": "projection",
    "quant": "quantise", "ref": "reference", "req": "request", "reqs": "requests",
    "seq": "sequence", "seqlen": "length", "seqlens": "lengths", "seqs": "sequences",
    "spec": "speculative", "thats": "that", "tok": "token", "toks": "tokens", "alot": "many",
    "tput": "throughput", "val": "value", "vals": "values", "var": "variance", "vec": "vector",
    "vecs": "vectors", "concat": "concatenate",
}  # fmt: skip
IRREGULAR = {
    "used": "use", "uses": "use", "using": "use", "kept": "keep", "held": "hold", "sent": "send",
    "grew": "grow", "grown": "grow", "learnt": "learn", "wrote": "write", "written": "write",
    "took": "take", "taken": "take", "gave": "give", "given": "give", "made": "make",
    "saw": "see", "seen": "see", "fell": "fall", "fallen": "fall", "rose": "rise",
    "risen": "rise", "chose": "choose", "chosen": "choose", "redone": "redo", "shrunk": "shrink",
    "shrank": "shrink", "matrices": "matrix", "forgot": "forget",
    "forgotten": "forget",
    "spun": "spin", "lost": "lose", "fetches": "fetch",
}  # fmt: skip
ALIKE_GROUPS = (
    "accelerator card device gpu rank worker", "calculate compute", "big enormous giant huge large",
    "bigger larger", "small tiny little", "fetch load read stream",
    "complete entire full whole", "earlier old older past previous preceding prior",
    "latest new newest current", "later future subsequent following",
    "many multiple several various",
    "each every per", "decrease lower reduce shrink diminish", "grow increase rise",
    "identical same equal", "token word", "logit score", "flop arithmetic operation",
    "one single", "max maximum", "request user client customer person people", "lookup retrieve",
    "document doc", "shard split partition", "query q", "key k", "value v", "hbm dram vram",
    "bound limit bottleneck constrain", "average mean expectation", "less fewer",
    "machine node server box", "interconnect link network", "fast quick", "faster quicker",
    "cheap inexpensive", "cheaper inexpensive", "costly expensive", "keep store retain hold",
    "recompute recalculate redo rerun", "differ deviate diverge", "change alter modify vary",
    "need require", "decod* generat*", "softmax softmaxes", "check verify test",
    "neighbour adjacent", "delete evict discard", "begin start", "stall freeze",
    "reference golden", "summand term", "std deviation", "multiply product multiplication matmul",
)  # fmt: skip
"""Synonyms. A star ends a stem, as in a wording."""
