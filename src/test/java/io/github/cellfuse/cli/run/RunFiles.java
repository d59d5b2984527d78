package io.github.cellfuse.cli.run;

import io.github.cellfuse.Direction;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.torch.PyTorchLstm;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A random case as the files and arguments of a run. */
record RunFiles(RandomLstm random, Path folder, List<Object> arguments) {

    /** A case that PyTorch could have: the next one from {@code seed} on that doesn't only run in reverse. */
    static RandomLstm random(long seed) {
        RandomLstm random = RandomLstm.of(seed);
        // Seeds of different cases are far apart.
        return random.model().last().direction() == Direction.REVERSE ? random(seed + 1000) : random;
    }

    /** Writes the files into {@code folder}. */
    static RunFiles write(RandomLstm random, Path folder) {
        LstmModel model = random.model();
        LstmInput input = random.input();
        Path modelFile = folder.resolve("model.safetensors");
        PyTorchLstm.save(model, modelFile, true, "lstm.");
        boolean isRowsFirst = input.layout() == Layout.BATCH_MAJOR;
        int rows = input.rows();
        int steps = input.steps();
        Path x = NpyFiles.floats(
                folder.resolve("x.npy"),
                input.x().array(),
                isRowsFirst ? rows : steps,
                isRowsFirst ? steps : rows,
                model.inputSize());
        Path lengths = NpyFiles.ints(folder.resolve("lengths.npy"), input.lengths());
        List<Object> arguments = new ArrayList<>(
                List.of("run", modelFile, x, "--lengths", lengths, "--layout", isRowsFirst ? "NTC" : "TNC"));
        long states = (long) model.layerCount() * model.last().directionCount();
        input.initialState().ifPresent(state -> {
            arguments.addAll(List.of(
                    "--h0",
                    NpyFiles.floats(
                            folder.resolve("h0.npy"),
                            state.h(),
                            states,
                            rows,
                            model.last().stateSize()),
                    "--c0",
                    NpyFiles.floats(
                            folder.resolve("c0.npy"),
                            state.c(),
                            states,
                            rows,
                            model.last().hiddenSize())));
        });
        return new RunFiles(random, folder, arguments);
    }

    /** Runs the case with {@code more} arguments. */
    Cli.Result run(Object... more) {
        List<Object> all = new ArrayList<>(arguments);
        all.addAll(List.of(more));
        return Cli.run(all.toArray());
    }
}
