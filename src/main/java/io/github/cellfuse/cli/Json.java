package io.github.cellfuse.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.PrintWriter;

/** Writes maps, lists, strings, numbers and null as JSON. Keys keep their order. Loaded only if JSON is requested. */
public final class Json {
    private static final Gson GSON = new GsonBuilder()
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .serializeNulls()
            .create();

    private Json() {}

    /** Returns a value as JSON without a trailing line break. */
    public static String text(Object value) {
        return GSON.toJson(value);
    }

    public static void print(PrintWriter out, Object value) {
        out.println(text(value));
    }
}
