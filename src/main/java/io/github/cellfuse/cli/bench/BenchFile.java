package io.github.cellfuse.cli.bench;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.bench.Dimensions;
import io.github.cellfuse.bench.EarlierResults;
import io.github.cellfuse.bench.Shape;
import io.github.cellfuse.format.file.TextFile;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The part of an earlier benchmark's JSON that a comparison needs.
 *
 * @param device the device's name
 * @param date the date of the benchmark
 */
record BenchFile(Path path, String device, String date, List<EarlierResults.Old> results) {
    private static final int LONGEST_QUOTE = 40;

    /**
     * Reads a file.
     *
     * @throws InvalidInputException when it can't be read or isn't the JSON of a benchmark; the message names the field
     */
    static BenchFile read(Path path) {
        JsonElement root = parse(path, TextFile.read(path));
        Fields document = new Fields(path, "", object(path, "the document", root));
        String format = document.text("format");
        if (!format.equals(BenchJson.FORMAT)) {
            throw invalid(
                    path, "format", "\"" + BenchJson.FORMAT + "\", as bench --json writes it", document.raw("format"));
        }
        Fields device = new Fields(path, "device.", object(path, "device", document.raw("device")));
        JsonElement results = document.raw("results");
        if (results == null || !results.isJsonArray()) {
            throw invalid(path, "results", "a list", results);
        }
        List<EarlierResults.Old> found = new ArrayList<>();
        for (JsonElement each : results.getAsJsonArray()) {
            String name = "results[" + found.size() + "]";
            found.add(result(new Fields(path, name + ".", object(path, name, each))));
        }
        return new BenchFile(path, device.text("name"), document.text("date"), List.copyOf(found));
    }

    private static EarlierResults.Old result(Fields fields) {
        Dimensions dimensions = new Dimensions(
                fields.shape(),
                fields.integer("p"),
                fields.integer("layers"),
                fields.integer("directions"),
                fields.truth("alternating"),
                fields.weights());
        return new EarlierResults.Old(
                fields.text("suite"),
                fields.text("kernel"),
                fields.textOrNull("plan"),
                dimensions,
                fields.seconds(),
                fields.truth("disturbed"));
    }

    private static JsonElement parse(Path path, String text) {
        try (JsonReader json = new JsonReader(new StringReader(text))) {
            json.setStrictness(Strictness.STRICT);
            JsonElement root = JsonParser.parseReader(json);
            if (json.peek() != JsonToken.END_DOCUMENT) {
                throw new InvalidInputException(path + ": expected the end of the JSON, found more text after it");
            }
            return root;
        } catch (JsonParseException | IOException e) {
            throw new InvalidInputException(path + ": expected JSON as bench --json writes it, found other text", e);
        }
    }

    private static JsonObject object(Path path, String field, JsonElement value) {
        if (value == null || !value.isJsonObject()) {
            throw invalid(path, field, "an object", value);
        }
        return value.getAsJsonObject();
    }

    private static InvalidInputException invalid(Path path, String field, String expected, JsonElement found) {
        String what = found == null ? "nothing" : found.toString();
        String quote = what.length() <= LONGEST_QUOTE ? what : what.substring(0, LONGEST_QUOTE) + "...";
        return new InvalidInputException(path + ": " + field + ": expected " + expected + ", found " + quote);
    }

    /** The fields of one object. */
    private record Fields(Path path, String where, JsonObject object) {
        JsonElement raw(String name) {
            return object.get(name);
        }

        String text(String name) {
            if (raw(name) instanceof JsonPrimitive value && value.isString()) {
                return value.getAsString();
            }
            throw invalid(path, where + name, "a string", raw(name));
        }

        String textOrNull(String name) {
            return raw(name) != null && raw(name).isJsonNull() ? null : text(name);
        }

        int integer(String name) {
            try {
                if (raw(name) instanceof JsonPrimitive value && value.isNumber()) {
                    int number = value.getAsBigDecimal().intValueExact();
                    if (number >= 0) {
                        return number;
                    }
                }
            } catch (ArithmeticException | NumberFormatException e) {
                throw invalid(path, where + name, "a whole number", raw(name));
            }
            throw invalid(path, where + name, "a whole number", raw(name));
        }

        Shape shape() {
            int t = integer("t"), n = integer("n"), i = integer("i"), h = integer("h");
            try {
                return new Shape(t, n, i, h);
            } catch (InvalidInputException e) {
                throw new InvalidInputException(path + ": " + where + e.getMessage(), e);
            }
        }

        /** Older files lack some of these fields, which means false. */
        boolean truth(String name) {
            if (raw(name) == null) {
                return false;
            }
            if (raw(name) instanceof JsonPrimitive value && value.isBoolean()) {
                return value.getAsBoolean();
            }
            throw invalid(path, where + name, "true or false", raw(name));
        }

        /** Older files lack this field; their weights are float32. */
        WeightPrecision weights() {
            if (raw("weights") == null) {
                return WeightPrecision.F32;
            }
            String name = text("weights");
            for (WeightPrecision weights : WeightPrecision.values()) {
                if (weights.toString().equals(name)) {
                    return weights;
                }
            }
            throw invalid(path, where + "weights", "\"f32\", \"f16\" or \"bf16\"", raw("weights"));
        }

        double seconds() {
            if (raw("seconds") instanceof JsonPrimitive value && value.isNumber()) {
                double seconds = value.getAsDouble();
                if (seconds > 0 && Double.isFinite(seconds)) {
                    return seconds;
                }
            }
            throw invalid(path, where + "seconds", "a number above 0", raw("seconds"));
        }
    }
}
