package io.github.cellfuse.opencl.program;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** The programs that the kernel files make: each is its file and those that it builds on, compiled as one text. */
public enum KernelSource {
    STEP(
            "lstm_step",
            "activations",
            "cell_functions",
            "lstm_cell",
            "weights",
            "gate_product",
            "step_parameters",
            "lstm_step"),
    STEP_TILED(
            "lstm_step_tiled",
            "activations",
            "cell_functions",
            "lstm_cell",
            "weights",
            "step_parameters",
            "gate_product_tiled",
            "lstm_step_tiled"),
    INPUT_PROJECTION(
            "lstm_input_projection",
            "activations",
            "cell_functions",
            "lstm_cell",
            "weights",
            "gate_product",
            "input_projection"),
    INPUT_PROJECTION_TILED(
            "lstm_input_projection_tiled",
            "activations",
            "cell_functions",
            "lstm_cell",
            "weights",
            "gate_product_tiled",
            "input_projection_tiled"),
    HIDDEN_PROJECTION(
            "lstm_hidden_projection",
            "activations",
            "cell_functions",
            "lstm_cell",
            "weights",
            "gate_product",
            "hidden_projection"),
    SEQUENCE(
            "lstm_sequence",
            "activations",
            "cell_functions",
            "lstm_cell",
            "weights",
            "gate_product",
            "step_parameters",
            "lstm_step",
            "hidden_projection",
            "lstm_sequence"),
    SEQUENCE_TILED(
            "lstm_sequence_tiled",
            "activations",
            "cell_functions",
            "lstm_cell",
            "weights",
            "step_parameters",
            "gate_product_tiled",
            "lstm_sequence_tiled"),
    CELL_FUNCTION("lstm_cell_function", "activations", "cell_functions", "lstm_cell_function"),
    STATE("lstm_state", "activations", "cell_functions", "lstm_cell", "lstm_state"),
    ROOFLINE("roofline", "activations", "weights", "gate_product", "roofline");

    /** Loose kernel files are read from this folder when the property is set: to try a kernel without building the jar. */
    private static final String FOLDER_PROPERTY = "cellfuse.kernels";

    private final String title;
    private final List<String> files;

    KernelSource(String title, String... files) {
        this.title = title;
        this.files = Stream.of(files).map(name -> name + ".cl").toList();
    }

    /** How much of a cell's options a program depends on: what it doesn't is compiled once for all cells. */
    CellOptions reads(CellOptions cell) {
        return switch (this) {
            case STEP, STEP_TILED, SEQUENCE, SEQUENCE_TILED, CELL_FUNCTION -> cell;
            case INPUT_PROJECTION, INPUT_PROJECTION_TILED -> cell.ofBias();
            case HIDDEN_PROJECTION, STATE, ROOFLINE -> CellOptions.ORDINARY;
        };
    }

    /** A name for messages. */
    public String title() {
        return title;
    }

    /** The texts, in the order in which they are compiled. */
    public List<String> texts() {
        return files.stream().map(KernelSource::read).toList();
    }

    /** A hash of all kernels, by which measurements of others are known. */
    public static String fingerprint() {
        MessageDigest digest = sha256();
        for (KernelSource source : values()) {
            source.texts().forEach(text -> digest.update(text.getBytes(StandardCharsets.UTF_8)));
        }
        return HexFormat.of().formatHex(digest.digest(), 0, 6);
    }

    /** Every JDK has it. */
    public static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String read(String file) {
        String folder = System.getProperty(FOLDER_PROPERTY);
        try {
            if (folder != null) {
                return Files.readString(Path.of(folder, file));
            }
            try (InputStream in = KernelSource.class.getResourceAsStream("/kernels/" + file)) {
                if (in == null) {
                    throw new CellFuseException("kernels/" + file + " is not on the class path: the jar is incomplete");
                }
                return new String(in.readAllBytes(), StandardCharsets.UTF_8);
            }
        } catch (IOException e) {
            throw new InvalidInputException(
                    "kernel file " + file + " can't be read"
                            + (folder == null ? "" : " from -D" + FOLDER_PROPERTY + "=" + folder) + ": "
                            + e.getMessage(),
                    e);
        }
    }
}
