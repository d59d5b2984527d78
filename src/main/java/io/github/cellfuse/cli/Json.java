package io.github.cellfuse.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.PrintWriter;

/** JSON for other programs: maps, lists, strings, numbers and null, with the keys in their order. Loaded only where asked for. */
public final class Json {
    private static final Gson GSON = new GsonBuilder()
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .serializeNulls()
            .create();

    private Json() {}

    /** {@code value} as text, without a line break at its end. */
    public static String text(Object value) {
        return GSON.toJson(value);
    }

    public static void print(PrintWriter out, Object value) {
        out.println(text(value));
    }
}
