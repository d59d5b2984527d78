package io.github.cellfuse.bench.batch;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.batch.BatchJob;
import io.github.cellfuse.batch.BatchListener;
import io.github.cellfuse.batch.BatchReport;
import io.github.cellfuse.batch.ChunkMetrics;
import io.github.cellfuse.batch.ChunkSink;
import io.github.cellfuse.batch.ChunkSource;
import io.github.cellfuse.batch.Chunking;
import io.github.cellfuse.batch.LengthOrder;
import io.github.cellfuse.bench.load.LayerShape;
import io.github.cellfuse.cli.LayoutOption;
import io.github.cellfuse.cli.run.RunInput;
import io.github.cellfuse.cli.run.RunShape;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpyWriter;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Compares jobs over the same file of rows with 1 to T steps: in the order of the file, and by length. They take turns,
 * and write the last output of each row, whose bits are compared.
 */
final class MixedLengths {
    private static final Pattern TILE = Pattern.compile("tiles? of (\\d+) rows");

    private final LstmModel model;
    private final NpyArray x, lengths;
    private final Device device;
    private final Path work;

    /**
     * A job.
     *
     * @param padding the steps in memory that no row has, as a share of those that rows have
     * @param waste the same of what the device computed, in tiles of rows, each step by itself
     */
    private record Result(double rowsPerSecond, double padding, double waste) {}

    MixedLengths(LstmModel model, NpyArray x, NpyArray lengths, Device device, Path work) {
        this.model = model;
        this.x = x;
        this.lengths = lengths;
        this.device = device;
        this.work = work;
    }

    /** Prints a line for each order. */
    void measure(LayerShape shape, int turns) {
        RunShape shapes = RunShape.of(model, LayoutOption.NTC, x);
        RunInput source = new RunInput(shapes, x, Optional.of(lengths), Optional.empty(), Optional.empty());
        List<Result> file = new ArrayList<>(), length = new ArrayList<>();
        try (LstmEngine engine = LstmEngine.open(device, model)) {
            for (int turn = 0; turn < turns; turn++) {
                file.add(run(engine, source, false));
                length.add(run(engine, source, true));
            }
        }
        float[] expected = last(false), found = last(true);
        if (!Arrays.equals(expected, found)) {
            throw new IllegalStateException("the order shows in the results");
        }
        double before = print(shape, "in the order of the file", file, 1);
        print(shape, "by length", length, before);
    }

    private float[] last(boolean byLength) {
        try (NpyArray array = NpyArray.open(output(byLength))) {
            return array.readAll();
        }
    }

    private double print(LayerShape shape, String order, List<Result> results, double before) {
        double speed =
                LargeBatch.median(results.stream().map(Result::rowsPerSecond).toList());
        Result any = results.get(0);
        System.out.printf(
                "%-27s %-24s %10.0f rows/s %6.2f   padding %6.1f %%   computed in vain %5.1f %%%n",
                shape + ",lengths", order, speed, before == 1 ? 1 : speed / before, 100 * any.padding, 100 * any.waste);
        return speed;
    }

    private Path output(boolean byLength) {
        return work.resolve(byLength ? "by-length.npy" : "in-order.npy");
    }

    private Result run(LstmEngine engine, ChunkSource rows, boolean byLength) {
        Chunking chunking = Chunking.automatic(model, rows.rows(), rows.steps(), false, false);
        LengthOrder order = LengthOrder.of(model, rows).orElseThrow();
        Covered covered = new Covered(engine, byLength ? order.source() : rows);
        try (NpyWriter writer = NpyWriter.create(output(byLength), true, rows.rows(), model.outputSize())) {
            ChunkSink last = new LastOutputs(writer);
            BatchJob job = new BatchJob(
                            List.of(engine), covered.source, byLength ? order.sink(last) : last, chunking.chunkRows())
                    .withListener(covered);
            if (byLength) {
                job.withLimit(
                        order.limit(chunking.fitting(model, rows.steps(), false, false), LengthOrder.Tiles.OF_CPU));
            }
            BatchReport report = job.run();
            writer.commit();
            double valid = report.validSteps();
            return new Result(report.rowsPerSecond(), report.paddingSteps() / valid, covered.steps / valid - 1);
        }
    }

    /** Counts the rows that the launches of a device cover, in whole tiles, step by step. */
    private static final class Covered implements BatchListener {
        private final LstmEngine engine;
        private final ChunkSource source;
        private long steps;

        Covered(LstmEngine engine, ChunkSource source) {
            this.engine = engine;
            this.source = source;
        }

        @Override
        public void onChunk(ChunkMetrics chunk) {
            int[] lengths = source.readLengths(chunk.firstRow(), chunk.rows()).orElseThrow();
            Arrays.sort(lengths);
            int longest = Math.max(1, lengths[lengths.length - 1]);
            Matcher tile = TILE.matcher(engine.explain(chunk.rows(), longest));
            if (!tile.find()) {
                throw new IllegalStateException("no tile in: " + engine.explain(chunk.rows(), longest));
            }
            int height = Integer.parseInt(tile.group(1));
            // From the shortest row on: so many rows have the steps that it has more than the one before.
            for (int k = 0, before = 0; k < lengths.length; before = lengths[k], k++) {
                int active = lengths.length - k;
                steps += (long) (active + height - 1) / height * height * (lengths[k] - before);
            }
        }
    }

    /** Writes the last hidden states, which are the last outputs of a forward layer. */
    private record LastOutputs(NpyWriter writer) implements ChunkSink {
        @Override
        public boolean needsY() {
            return false;
        }

        @Override
        public int write(long firstRow, LstmOutput output) {
            float[] hidden = output.finalState().h();
            writer.write(firstRow * hidden.length / output.rows(), FloatBuffer.wrap(hidden));
            return 0;
        }

        @Override
        public int checksum(long firstRow, int rows) {
            throw new UnsupportedOperationException("nothing is continued here");
        }

        @Override
        public void force() {}
    }
}
