package io.github.cellfuse.format.keras;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.Problems;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An object of a model's configuration. A value is checked when it is read.
 *
 * @param label the file, for messages
 * @param what which part of it, for messages: {@code layer 'lstm'}
 */
record Config(String label, String what, JsonObject json) {
    /** Far deeper than Keras nests objects: deeper text is an attempt to exhaust the stack. */
    private static final int DEEPEST = 100;

    /** Reads a text whose outermost value is an object. */
    static Config parse(String label, String what, String text) {
        try (JsonReader reader = new JsonReader(new StringReader(text))) {
            // Python writes NaN and Infinity, which strict JSON hasn't.
            reader.setStrictness(Strictness.LENIENT);
            reader.setNestingLimit(DEEPEST);
            JsonElement element = JsonParser.parseReader(reader);
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                throw Problems.invalid(label, what + ": expected one JSON object, found more behind it");
            }
            if (!element.isJsonObject()) {
                throw Problems.invalid(label, what + ": expected a JSON object, found another value");
            }
            return new Config(label, what, element.getAsJsonObject());
        } catch (JsonParseException | IOException | IllegalStateException e) {
            // The path in the nesting comes last and may be long.
            String reason = String.valueOf(e.getMessage())
                    .lines()
                    .findFirst()
                    .orElse("")
                    .replaceFirst("^[\\w.]+Exception: ", "")
                    .replaceFirst(" path .{100,}", "");
            throw Problems.invalid(label, what + ": expected JSON as Keras writes it, found it broken: " + reason, e);
        }
    }

    /** Returns the same object under another name. */
    Config named(String name) {
        return new Config(label, name, json);
    }

    boolean has(String key) {
        return json.has(key) && !json.get(key).isJsonNull();
    }

    String string(String key) {
        return optionalString(key).orElseThrow(() -> missing(key, "a string"));
    }

    /** Empty where the key is missing or null. */
    Optional<String> optionalString(String key) {
        if (!has(key)) {
            return Optional.empty();
        }
        if (json.get(key) instanceof JsonPrimitive value && value.isString()) {
            return Optional.of(value.getAsString());
        }
        throw wrong(key, "a string");
    }

    boolean flag(String key, boolean missing) {
        if (!has(key)) {
            return missing;
        }
        if (json.get(key) instanceof JsonPrimitive value && value.isBoolean()) {
            return value.getAsBoolean();
        }
        throw wrong(key, "true or false");
    }

    int positive(String key) {
        if (!has(key)) {
            throw missing(key, "a number");
        }
        // Digits only: some spellings of a number take extremely long to convert.
        if (json.get(key) instanceof JsonPrimitive value
                && value.isNumber()
                && value.getAsString().matches("[1-9][0-9]{0,9}")
                && Long.parseLong(value.getAsString()) <= Integer.MAX_VALUE) {
            return Integer.parseInt(value.getAsString());
        }
        throw wrong(key, "a whole number from 1 on");
    }

    Config object(String key) {
        if (!has(key)) {
            throw missing(key, "an object");
        }
        if (json.get(key) instanceof JsonObject object) {
            return new Config(label, what, object);
        }
        throw wrong(key, "an object");
    }

    List<Config> objects(String key) {
        List<Config> objects = new ArrayList<>();
        for (JsonElement element : array(key)) {
            if (!(element instanceof JsonObject object)) {
                throw wrong(key, "a list of objects");
            }
            objects.add(new Config(label, what, object));
        }
        return objects;
    }

    /** No elements where the key is missing. */
    JsonArray array(String key) {
        if (!has(key)) {
            return new JsonArray();
        }
        if (json.get(key) instanceof JsonArray array) {
            return array;
        }
        throw wrong(key, "a list");
    }

    /** Returns an exception whose message names the file and this part of it. */
    InvalidInputException invalid(String message) {
        return Problems.invalid(label, what + ": " + message);
    }

    private InvalidInputException missing(String key, String expected) {
        return invalid(key + ": expected " + expected + ", found none");
    }

    private InvalidInputException wrong(String key, String expected) {
        return invalid(key + ": expected " + expected + ", found "
                + Problems.quote(json.get(key).toString()));
    }
}
