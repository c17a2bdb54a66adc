"""Writes a trained model as a GGUF file with Q8_0 weights."""

import json
from pathlib import Path

import gguf
from gguf import GGMLQuantizationType, GGUFWriter, TokenType
from tokenizers import Tokenizer

from training.chat import BOS, EOS, PAD, SPECIAL, TEMPLATE
from training.model import NORM_EPSILON, ROPE_BASE, Shape, TinyLlama


def write_gguf(path: Path, name: str, model: TinyLlama, tokenizer: Tokenizer) -> None:
    """Write the model, its tokenizer and its chat template into one file."""
    writer = GGUFWriter(path, "llama")
    add_shape(writer, name, model.shape)
    add_tokenizer(writer, tokenizer)
    add_weights(writer, model)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_shape(writer: GGUFWriter, name: str, shape: Shape) -> None:
    """Add the dimensions that llama.cpp needs to build the network."""
    writer.add_name(name)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_layer_norm_rms_eps(NORM_EPSILON)


def add_tokenizer(writer: GGUFWriter, tokenizer: Tokenizer) -> None:
    """Add the vocabulary, the merges and the chat template."""
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    tokens = [tokenizer.id_to_token(i) or "" for i in range(tokenizer.get_vocab_size())]
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.CONTROL if token in SPECIAL else TokenType.NORMAL for token in tokens])
    writer.add_token_merges(merges(tokenizer))
    writer.add_bos_token_id(tokenizer.token_to_id(BOS))
    writer.add_eos_token_id(tokenizer.token_to_id(EOS))
    writer.add_pad_token_id(tokenizer.token_to_id(PAD))
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_chat_template(TEMPLATE)


def merges(tokenizer: Tokenizer) -> list[str]:
    """List the merges of a tokenizer as `left right`, in their order."""
    return [" ".join(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]


def add_weights(writer: GGUFWriter, model: TinyLlama) -> None:
    """Add each weight: matrices as Q8_0, norms as they are; the output shares the embeddings."""
    for name, weight in model.state_dict().items():
        values = weight.float().numpy()
        if values.ndim == 1:
            writer.add_tensor(name, values)
            continue
        packed = gguf.quantize(values, GGMLQuantizationType.Q8_0)
        writer.add_tensor(name, packed, raw_dtype=GGMLQuantizationType.Q8_0)
