package io.github.cellfuse.cli.graph;

import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.onnx.graph.GraphOracle;
import io.github.cellfuse.onnx.graph.Tensor;
import io.github.cellfuse.onnx.graph.Tensors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * {@code cellfuse run} with a model and a file for each of its inputs.
 *
 * @param folder where the files are written
 * @param inputs float32 and int64 tensors
 */
record GraphRun(Path folder, Path model, Map<String, Tensor> inputs) {

    /** What a run wrote. */
    record Result(Path file, Cli.Result result) {
        Map<String, Tensor> tensors() {
            return Tensors.of(file);
        }

        String said() {
            return result.err();
        }
    }

    /** Runs it on {@code java}, which must succeed. */
    Result run(Object... more) {
        try {
            Path out = Files.createTempFile(folder, "out", ".npz");
            return new Result(out, Cli.run(arguments(out, more)).assertDone());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs it, which must be refused in one line with these parts, and leave no file. */
    void assertRefused(List<?> options, Object... parts) {
        String before = NpyFiles.names(folder);
        Path out = folder.resolve("refused.npz");
        List<String> files = files();
        String with = NpyFiles.names(folder);
        Cli.run(arguments(files, out, options.toArray())).assertError(2, parts);
        if (!NpyFiles.names(folder).equals(with)) {
            throw new AssertionError(before + " became " + NpyFiles.names(folder));
        }
    }

    private Object[] arguments(Path out, Object... more) {
        return arguments(files(), out, more);
    }

    private Object[] arguments(List<String> files, Path out, Object... more) {
        List<Object> all = new ArrayList<>(List.of("run", model, "-o", out, "--overwrite", "--device", "java"));
        files.forEach(file -> all.addAll(List.of("--input", file)));
        all.addAll(List.of(more));
        return all.toArray();
    }

    private List<String> files() {
        List<String> files = new ArrayList<>();
        inputs.forEach((name, value) -> {
            Path file = folder.resolve("in" + files.size() + ".npy");
            files.add(name + "=" + NpyFiles.write(file, value));
        });
        return files;
    }

    /** ONNX Runtime's results for the whole. */
    Map<String, Tensor> expected() {
        return GraphOracle.whole(model, inputs);
    }

    /** The whole gives ONNX Runtime's values, and each of some batches gives the same bytes. */
    void assertSameInPieces(int... batches) throws IOException {
        Result whole = run();
        Map<String, Tensor> found = whole.tensors();
        expected()
                .forEach((name, value) ->
                        Tensors.assertClose(name, value, found.get(GraphFile.entry(name)), GraphOracle.TOLERANCE));
        for (int batch : batches) {
            Result pieces = run("--batch", batch);
            if (Files.mismatch(whole.file(), pieces.file()) != -1) {
                throw new AssertionError("other bytes with --batch " + batch + ": " + pieces.said());
            }
        }
    }
}
