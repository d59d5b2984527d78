package io.github.cellfuse.opencl.program;

import io.github.cellfuse.WeightPrecision;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** The programs. Each is a kernel file with its prerequisites (see {@link KernelFiles}), compiled as one text. */
public enum KernelSource {
    STEP("lstm_step"),
    STEP_TILED("lstm_step_tiled"),
    STEP_NARROW("lstm_step_narrow"),
    INPUT_PROJECTION("lstm_input_projection", "input_projection"),
    INPUT_PROJECTION_TILED("lstm_input_projection_tiled", "input_projection_tiled"),
    HIDDEN_PROJECTION("lstm_hidden_projection", "hidden_projection"),
    SEQUENCE("lstm_sequence"),
    SEQUENCE_TILED("lstm_sequence_tiled"),
    SEQUENCE_PERSISTENT("lstm_sequence_persistent"),
    SEQUENCE_REGISTERS("lstm_sequence_registers"),
    CELL("lstm_cell"),
    CELL_FUNCTION("lstm_cell_function"),
    LOAD_WEIGHTS("lstm_load_weights", "weights"),
    /** Every engine needs it, so the self-test runs {@code lstm_activations} from it. */
    STATE("lstm_state"),
    ROOFLINE("roofline");

    private final String title;
    private final String file;

    KernelSource(String title) {
        this(title, title);
    }

    KernelSource(String title, String file) {
        this.title = title;
        this.file = file;
    }

    /** Returns the program of a time step in {@code tile}. */
    public static KernelSource step(Tile tile) {
        return !tile.isStaged() ? STEP : tile.staging().isNarrow() ? STEP_NARROW : STEP_TILED;
    }

    /** Returns the program of a whole sequence in {@code tile}. */
    public static KernelSource sequence(Tile tile) {
        Staging group = tile.staging();
        if (!tile.isStaged()) {
            return SEQUENCE;
        }
        return group.isInRegisters() ? SEQUENCE_REGISTERS : group.isPersistent() ? SEQUENCE_PERSISTENT : SEQUENCE_TILED;
    }

    /**
     * Returns the part of a cell's options that the program depends on. A program that ignores an option is compiled
     * once for all of its values.
     */
    CellOptions reads(CellOptions cell) {
        return switch (this) {
            case STEP,
                    STEP_TILED,
                    STEP_NARROW,
                    SEQUENCE,
                    SEQUENCE_TILED,
                    SEQUENCE_PERSISTENT,
                    SEQUENCE_REGISTERS,
                    CELL,
                    CELL_FUNCTION -> cell;
            case INPUT_PROJECTION, INPUT_PROJECTION_TILED -> cell.ofBias();
            case HIDDEN_PROJECTION, LOAD_WEIGHTS, STATE, ROOFLINE -> CellOptions.ORDINARY;
        };
    }

    /** Returns the part of a tile that the program depends on, as a tile. */
    Tile reads(Tile tile) {
        return switch (this) {
            case STEP,
                    STEP_TILED,
                    STEP_NARROW,
                    SEQUENCE,
                    SEQUENCE_TILED,
                    SEQUENCE_PERSISTENT,
                    SEQUENCE_REGISTERS,
                    ROOFLINE -> tile;
            case INPUT_PROJECTION, INPUT_PROJECTION_TILED ->
                tile.withHoisted(false).withFused(true);
            case HIDDEN_PROJECTION -> Tile.of(tile.vec(), tile.rows());
            case CELL, CELL_FUNCTION, LOAD_WEIGHTS, STATE -> Tile.of(tile.vec(), 1);
        };
    }

    /** Returns the precision of the weights that the program reads; float32 if it reads none. */
    WeightPrecision reads(WeightPrecision weights) {
        return switch (this) {
            case CELL, CELL_FUNCTION, STATE -> WeightPrecision.F32;
            default -> weights;
        };
    }

    /**
     * Returns whether work-groups of a GPU may wait for each other in the program. In {@link #SEQUENCE} only the
     * work-items of a CPU do.
     */
    boolean waitsOnGpus() {
        return this == SEQUENCE_PERSISTENT;
    }

    /** Returns a name for messages; if the program is for one kernel, the name of that kernel. */
    public String title() {
        return title;
    }

    /** Returns the texts of the program's files, in the order in which they are compiled. */
    public List<String> texts() {
        return List.copyOf(KernelFiles.resolve(file).values());
    }

    /** Returns whether a folder of loose kernels replaces the kernels of the jar. */
    public static boolean areReplaced() {
        return KernelFiles.folder().isPresent();
    }

    /** Returns a hash of all kernels. Measurements of other kernels have another hash. */
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
}
