package io.github.cellfuse.onnx;

import io.github.cellfuse.LstmModel;
import java.nio.file.Path;
import java.util.Set;

/**
 * ONNX files that hold a stack of LSTMs and nothing else.
 *
 * <pre>{@code
 * LstmModel model = OnnxLstm.load(Path.of("encoder.onnx"));
 * }</pre>
 */
public final class OnnxLstm {
    /** What a written graph may take besides {@code x}; who runs it must then give it. */
    public enum Input {
        /** {@code lengths [N]}, int64: the valid steps of each row. */
        LENGTHS,
        /** {@code h0} and {@code c0 [L·D,N,H]}: the states before the first step. */
        STATES
    }

    private OnnxLstm() {}

    /**
     * The LSTMs of a file as one model: nodes of the operator LSTM, each reading the output of the one below, with what exporters put
     * around them (transpositions, reshapes, zeros for the initial states, weights put in order by Slice and Concat). The layout of the
     * file's inputs and outputs isn't part of the model.
     *
     * @throws io.github.cellfuse.InvalidInputException when the file isn't an ONNX model, or there is more in it than that: the message
     *     names the first node that is neither
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static LstmModel load(Path path) {
        return new OnnxLstmReader(OnnxFile.open(path)).model();
    }

    /**
     * Writes a model that takes {@code x} alone; see {@link #save(LstmModel, Path, boolean, Set)}.
     *
     * @param overwrite whether a file of that name may be replaced
     */
    public static void save(LstmModel model, Path target, boolean overwrite) {
        save(model, target, overwrite, Set.of());
    }

    /**
     * Writes a model as a graph of float32, opset 14, so that {@link #load} gives it back with the same bits; of a bias that is missing
     * the sum of both. Its input is {@code x [batch,time,I]}, its outputs are {@code y [batch,time,D·H]} and, as PyTorch has them,
     * {@code h_n} and {@code c_n [L·D,batch,H]}. Where layers differ in size or direction each has states of its own:
     * {@code h_n_l0 [D,batch,H]} and so on.
     *
     * @param target the file's final name; the file appears under it whole or not at all
     * @param overwrite whether a file of that name may be replaced
     * @param inputs what the graph takes besides {@code x}
     * @throws io.github.cellfuse.InvalidInputException when the model has a projection, which ONNX has none of, its directions differ in
     *     what an ONNX node has once (clip, coupled gates), it is larger than an ONNX file can be, or the target can't be written
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static void save(LstmModel model, Path target, boolean overwrite, Set<Input> inputs) {
        new OnnxLstmWriter(model, target, inputs).write(overwrite);
    }
}
