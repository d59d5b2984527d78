package io.github.cellfuse.cli.graph;

import java.util.List;
import picocli.CommandLine.Option;

/** {@code --output-name}: chooses outputs; a mixin. */
public final class OutputNameOption {
    @Option(
            names = "--output-name",
            paramLabel = "NAME",
            description =
                    "Output of an .onnx model to compute; repeatable. What only other outputs need isn't computed, and"
                            + " inputs that only they need may be left out. Default: all outputs. Other models, with"
                            + " run: y, last (y after the last step of each row, [N, D*P]), h_n or c_n.")
    private List<String> names = List.of();

    /** Returns the chosen outputs; empty if none was chosen. */
    List<String> names() {
        return names;
    }
}
