package io.github.cellfuse.bench.gpu;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** What CellFuse is compared with on a GPU, in the order of turns and of the table's columns. */
enum GpuPeer {
    TORCH_FP32("torch_fp32", "float32", 1e-4, "fp32"),
    /** The same, without its launches from the host. */
    TORCH_GRAPH("torch_graph", "fp32 graph", 1e-4, "fp32-graph"),
    /**
     * Products of numbers with 10 bits after the point. When tried in double precision on eight shapes, that rounding
     * moved y by up to 2.1e-4.
     */
    TORCH_TF32("torch_tf32", "TF32*", 2e-3, "tf32"),
    /** Everything in 16 bits. Moved y by up to 3.9e-4 on the same shapes. */
    TORCH_FP16("torch_fp16", "float16*", 4e-3, "fp16"),
    /** With both transfers, like CellFuse's wall time. */
    ORT_CUDA("ort_cuda", "ORT wall", 1e-4, null);

    private final String key;
    private final String column;
    private final double largestDifference;
    private final String torchMode;

    GpuPeer(String key, String column, double largestDifference, String torchMode) {
        this.key = key;
        this.column = column;
        this.largestDifference = largestDifference;
        this.torchMode = torchMode;
    }

    /** Returns the name in JSON. */
    String key() {
        return key;
    }

    /** Returns the name above a column of the table; a star marks what is less precise than float32. */
    String column() {
        return column;
    }

    /** Returns the name in sentences. */
    String title() {
        return torchMode == null ? "ONNX Runtime on CUDA" : "torch " + column.replace("*", "");
    }

    /** Returns how far y may be from CellFuse's; a swapped gate or a forgotten state is farther. */
    double largestDifference() {
        return largestDifference;
    }

    /** Returns the mode of {@code bench/gpu/peer.py}; empty for other libraries. */
    Optional<String> torchMode() {
        return Optional.ofNullable(torchMode);
    }

    /** Returns the names of several, for a sentence. */
    static String titles(List<GpuPeer> peers) {
        return String.join(", ", peers.stream().map(GpuPeer::title).toList());
    }

    /** Returns all that run in torch. */
    static List<GpuPeer> torch() {
        return Arrays.stream(values()).filter(peer -> peer.torchMode != null).toList();
    }
}
