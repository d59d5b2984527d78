package io.github.cellfuse.cli;

import io.github.cellfuse.WeightPrecision;
import picocli.CommandLine.Option;

/**
 * The precision of the weights; a mixin of every command that computes. No other option of a device changes results.
 */
public final class WeightsOption {
    @Option(
            names = "--weights",
            paramLabel = "f32|f16|bf16",
            defaultValue = "f32",
            completionCandidates = CompletedValues.Precisions.class,
            description =
                    "Precision of the stored weights: f32, f16 (float16) or bf16 (bfloat16). The 16-bit formats take"
                            + " half the memory on an OpenCL device. The weights are rounded; all arithmetic is"
                            + " float32, with the same bits on every exact device. Default: ${DEFAULT-VALUE}.")
    private WeightPrecision precision = WeightPrecision.F32;

    public WeightPrecision precision() {
        return precision;
    }
}
