package io.github.cellfuse.onnx;

import io.github.cellfuse.LstmModel;
import java.nio.file.Path;
import java.util.Set;

/**
 * Loads and saves ONNX files that contain a stack of LSTMs and nothing else.
 *
 * <pre>{@code
 * LstmModel model = OnnxLstm.load(Path.of("encoder.onnx"));
 * }</pre>
 */
public final class OnnxLstm {
    /** The inputs that a written graph may declare in addition to {@code x}. Each run must then supply them. */
    public enum Input {
        /** {@code lengths [N]}, int64: the number of valid steps of each row. */
        LENGTHS,
        /** {@code h0} and {@code c0 [L·D,N,H]}: the initial states. */
        STATES
    }

    private OnnxLstm() {}

    /**
     * Loads the LSTMs of a file as one model. The file may contain LSTM nodes, each reading the output of the one
     * below, and the nodes that exporters add around them: transposes, reshapes, zeros for the initial states, and
     * Slice and Concat that reorder weights. The layout of the file's inputs and outputs isn't part of the model.
     *
     * @throws io.github.cellfuse.InvalidInputException when the file isn't an ONNX model, or contains any other node;
     *     the message names the first one
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static LstmModel load(Path path) {
        return new OnnxLstmReader(OnnxFile.open(path)).model();
    }

    /**
     * Writes a model as a graph whose only input is {@code x}; see {@link #save(LstmModel, Path, boolean, Set)}.
     *
     * @param overwrite whether an existing file may be replaced
     */
    public static void save(LstmModel model, Path target, boolean overwrite) {
        save(model, target, overwrite, Set.of());
    }

    /**
     * Writes a model as a float32 graph of opset 14. {@link #load} restores the weights bit for bit; if a bias is
     * missing, it restores the sum of the two biases instead. The input is {@code x [batch,time,I]}. The outputs are
     * {@code y [batch,time,D·H]} and, as in PyTorch, {@code h_n} and {@code c_n [L·D,batch,H]}. If layers differ in
     * size or direction, each has its own states: {@code h_n_l0 [D,batch,H]} and so on.
     *
     * @param target the file's final name; the file appears under it complete or not at all
     * @param overwrite whether an existing file may be replaced
     * @param inputs the inputs of the graph in addition to {@code x}
     * @throws io.github.cellfuse.InvalidInputException when the model has a projection (ONNX's LSTM has none), when its
     *     directions differ in an attribute that an ONNX node has only once (clip, coupled gates), when it is larger
     *     than an ONNX file can be, or when the target can't be written
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static void save(LstmModel model, Path target, boolean overwrite, Set<Input> inputs) {
        new OnnxLstmWriter(model, target, inputs).write(overwrite);
    }
}
