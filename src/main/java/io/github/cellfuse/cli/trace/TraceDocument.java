package io.github.cellfuse.cli.trace;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.cli.Version;
import io.github.cellfuse.cli.page.HtmlPage;
import io.github.cellfuse.spi.CellValue;
import io.github.cellfuse.spi.LayerTrace;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Writes traces as JSON. {@code docs/trace.md} lists the keys. Versions may add keys, but never change them.
 *
 * @param model the model's name
 * @param device the device's name
 * @param caption what the page says on top; empty for nothing
 * @param comparison the run, without a trace, whose bits the traces were compared with
 * @param traces one for each LSTM
 * @param labels names of the steps
 * @param marks the step of each row that the page marks first; empty if it chooses
 * @param layer the only layer to write; empty for all
 * @param window the steps to write
 */
public record TraceDocument(
        String model,
        String device,
        String caption,
        String comparison,
        List<TracedBatch> traces,
        StepLabels labels,
        List<Integer> marks,
        OptionalInt layer,
        StepWindow window) {
    private static final String TEMPLATE = "/io/github/cellfuse/cli/trace/trace.html";

    /** What is written of each cell. */
    private static final List<CellValue> SHOWN = List.of(
            CellValue.INPUT_GATE,
            CellValue.FORGET_GATE,
            CellValue.CANDIDATE,
            CellValue.OUTPUT_GATE,
            CellValue.CELL_STATE,
            CellValue.HIDDEN_STATE);

    /** How an array of values {@code [steps,units]} is written. */
    private interface Encoding {
        JsonElement of(float[] values, int units);
    }

    /** Returns the document with values as numbers; those that aren't finite are strings. */
    public JsonObject json() {
        return document(TraceDocument::numbers);
    }

    /** Returns the page. In it each array is float32, little-endian, in base64. */
    public String page() {
        return HtmlPage.of(TEMPLATE, packed());
    }

    private JsonObject packed() {
        return document((values, units) -> {
            ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(values);
            return new JsonPrimitive(Base64.getEncoder().encodeToString(bytes.array()));
        });
    }

    /** Returns how many values a document shows of some rows of an LSTM. */
    static long values(LstmModel model, int[] lengths, OptionalInt layer, StepWindow window) {
        long steps = IntStream.of(lengths)
                .mapToLong(length -> window.of(length).count())
                .sum();
        return IntStream.range(0, model.layerCount())
                        .filter(k -> layer.isEmpty() || layer.getAsInt() == k)
                        .mapToObj(model::layer)
                        .mapToLong(sizes -> SHOWN.stream()
                                        .mapToLong(quantity -> quantity.width(sizes))
                                        .sum()
                                * sizes.directionCount())
                        .sum()
                * steps;
    }

    private boolean isShown(int k) {
        return layer.isEmpty() || layer.getAsInt() == k;
    }

    private JsonObject document(Encoding encoding) {
        JsonObject json = new JsonObject();
        json.addProperty("format", "cellfuse-trace-1");
        json.addProperty("version", new Version().getVersion()[0]);
        json.addProperty("model", model);
        json.addProperty("device", device);
        json.addProperty("caption", caption);
        json.addProperty("compared_with", comparison);
        json.addProperty("same_bits", traces.stream().allMatch(TracedBatch::hasSameBits));
        JsonArray array = new JsonArray();
        traces.forEach(trace -> array.add(trace(trace, encoding)));
        json.add("traces", array);
        return json;
    }

    private JsonObject trace(TracedBatch trace, Encoding encoding) {
        JsonObject json = new JsonObject();
        json.addProperty("name", trace.name());
        int[] lengths = trace.input().lengths();
        JsonArray rows = new JsonArray();
        for (int n = 0; n < lengths.length; n++) {
            StepWindow shown = window.of(lengths[n]);
            JsonObject row = new JsonObject();
            row.addProperty("row", trace.rowNumbers()[n]);
            row.addProperty("first_step", shown.first());
            row.addProperty("steps", shown.count());
            row.add("labels", labels(trace.rowNumbers()[n], shown));
            if (!marks.isEmpty()) {
                row.addProperty("marked_step", marks.get(n));
            }
            rows.add(row);
        }
        json.add("rows", rows);
        JsonArray layers = new JsonArray();
        float[] initial = trace.input().initialState().map(state -> state.c()).orElse(null);
        int below = 0; // values of the initial cell states of the layers and directions below
        for (int k = 0; k < trace.layers().size(); k++) {
            LstmLayer sizes = trace.model().layer(k);
            for (int direction = 0; direction < sizes.directionCount(); direction++) {
                if (isShown(k)) {
                    layers.add(layer(trace, k, direction, initial, below, encoding));
                }
                below += lengths.length * sizes.hiddenSize();
            }
        }
        json.add("layers", layers);
        return json;
    }

    private JsonElement labels(int row, StepWindow shown) {
        List<String> all = labels.of(row);
        if (all.isEmpty()) {
            return JsonNull.INSTANCE;
        }
        JsonArray array = new JsonArray();
        all.subList(shown.first(), shown.end()).forEach(array::add);
        return array;
    }

    private JsonObject layer(
            TracedBatch trace, int number, int direction, float[] initial, int below, Encoding encoding) {
        LstmLayer sizes = trace.model().layer(number);
        LayerTrace values = trace.layers().get(number);
        boolean isReverse = direction == 1 || sizes.direction() == Direction.REVERSE;
        JsonObject json = new JsonObject();
        json.addProperty("layer", number);
        json.addProperty("direction", isReverse ? "reverse" : "forward");
        json.addProperty("hidden_size", sizes.hiddenSize());
        json.addProperty("state_size", sizes.stateSize());
        JsonArray rows = new JsonArray();
        int[] lengths = trace.input().lengths();
        int units = sizes.hiddenSize();
        for (int n = 0; n < lengths.length; n++) {
            StepWindow shown = window.of(lengths[n]);
            JsonObject row = new JsonObject();
            // The state before the first step that is shown, in running order.
            int before = isReverse ? shown.end() : shown.first() - 1;
            float[] state = new float[units];
            if (before >= 0 && before < lengths[n]) {
                copy(values.of(CellValue.CELL_STATE), trace, direction, before, n, units, state, 0);
            } else if (initial != null) {
                System.arraycopy(initial, below + n * units, state, 0, units);
            }
            row.add("c_before", encoding.of(state, 0));
            for (CellValue quantity : SHOWN) {
                int width = quantity.width(sizes);
                float[] part = new float[shown.count() * width];
                for (int step = 0; step < shown.count(); step++) {
                    copy(values.of(quantity), trace, direction, shown.first() + step, n, width, part, step * width);
                }
                row.add(quantity.toString(), encoding.of(part, width));
            }
            rows.add(row);
        }
        json.add("rows", rows);
        return json;
    }

    /** Copies the values of a row in a step from {@code [D,T,N,width]}. */
    private static void copy(
            float[] from, TracedBatch trace, int direction, int step, int row, int width, float[] to, int at) {
        int offset = (direction * trace.input().steps() + step) * trace.input().rows() + row;
        System.arraycopy(from, offset * width, to, at, width);
    }

    /** Returns {@code [steps,units]} as nested arrays; one array if {@code units} is 0. */
    private static JsonElement numbers(float[] values, int units) {
        if (units == 0) {
            return numbers(values, 0, values.length);
        }
        JsonArray steps = new JsonArray();
        for (int from = 0; from < values.length; from += units) {
            steps.add(numbers(values, from, from + units));
        }
        return steps;
    }

    private static JsonArray numbers(float[] values, int from, int to) {
        JsonArray array = new JsonArray();
        for (int k = from; k < to; k++) {
            array.add(
                    Float.isFinite(values[k])
                            ? new JsonPrimitive(values[k])
                            : new JsonPrimitive(Float.toString(values[k])));
        }
        return array;
    }
}
