/** PyTorch's LSTMs in {@code .safetensors} files. */
package io.github.cellfuse.format.torch;
