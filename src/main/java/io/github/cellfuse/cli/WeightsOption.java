package io.github.cellfuse.cli;

import io.github.cellfuse.WeightPrecision;
import picocli.CommandLine.Option;

/** How the weights are stored: a mixin of every command that computes. Of all options of a device this alone changes results. */
public final class WeightsOption {
    @Option(
            names = "--weights",
            paramLabel = "f32|f16|bf16",
            defaultValue = "f32",
            description =
                    "How the weights are stored, and rounded: f32, f16 (float16) or bf16 (bfloat16). The 16-bit ones take"
                            + " half the memory of an OpenCL device; all arithmetic is float32, with the same bits on every exact"
                            + " device. Default: ${DEFAULT-VALUE}.")
    private WeightPrecision precision = WeightPrecision.F32;

    public WeightPrecision precision() {
        return precision;
    }
}
