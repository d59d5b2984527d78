package io.github.cellfuse.cli.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.onnx.graph.LstmPart;
import io.github.cellfuse.onnx.graph.OnnxModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An LSTM of a whole ONNX graph, with a batch that it gets in it.
 *
 * @param number the LSTM's number in the graph, from 0 on
 * @param nodes the nodes that it consists of; empty if calls differ in that
 * @param model the LSTM
 * @param batch one of the largest batches
 */
public record RecordedPart(int number, List<String> nodes, LstmModel model, LstmInput batch) {

    /**
     * Runs a graph on the {@code java} device and returns its LSTMs.
     *
     * @param only the file that was given without the name of an input, or null
     * @param lengths the file with the number of frames of each stream, or null
     * @param part the value of {@code --part}: the number of the only LSTM to return, or null for all
     * @param keepsFirst whether to return the first of the largest batches; the last one otherwise, since the states of
     *     a stream are zeros at first
     * @throws InvalidInputException if there is no such LSTM, or the files don't fit
     */
    public static List<RecordedPart> of(
            Path path,
            SetOption settings,
            GraphInputOptions inputs,
            InputFile only,
            InputFile lengths,
            Integer part,
            boolean keepsFirst) {
        OnnxOptions options = new OnnxOptions(inputs);
        OnnxModel graph = GraphOpener.open(path, settings, options);
        List<RecordedLstm> recorded = new ArrayList<>();
        List<LstmPart> parts;
        try (OnnxRun run = new OnnxRun(graph, options, only, null, lengths, null)) {
            parts = run.runOn(lstm -> {
                RecordedLstm engine = new RecordedLstm(lstm, keepsFirst);
                recorded.add(engine);
                return engine;
            });
        }
        List<RecordedPart> found = of(recorded, parts).stream()
                .filter(each -> part == null || part == each.number)
                .toList();
        if (found.isEmpty()) {
            throw new InvalidInputException(
                    part == null
                            ? path + ": expected a graph with LSTMs that run on the device, found none"
                            : "--part: expected 0 to " + (recorded.size() - 1) + ", found " + part);
        }
        return found;
    }

    private static List<RecordedPart> of(List<RecordedLstm> recorded, List<LstmPart> parts) {
        List<RecordedPart> found = new ArrayList<>();
        for (int k = 0; k < recorded.size(); k++) {
            int number = k;
            List<String> nodes = parts.size() == recorded.size() ? parts.get(k).nodes() : List.of();
            RecordedLstm engine = recorded.get(k);
            engine.batch().ifPresent(batch -> found.add(new RecordedPart(number, nodes, engine.model(), batch)));
        }
        return found;
    }

    /** Returns a name for people: the number and the nodes. */
    public String name() {
        return "part " + number + (nodes.isEmpty() ? "" : " (" + String.join(", ", nodes) + ")");
    }
}
