package io.github.cellfuse.opencl.program;

import io.github.cellfuse.CellFuseException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The part of the C preprocessor that decides what a kernel's signature is: conditionals, and macros without
 * parameters. It knows the macros of the sources and of the build options, and none that only a driver defines;
 * {@link Kernel} compares the result with the driver's.
 *
 * <p>Engines wait for it when they open, so it goes through the sources line by line and leaves most lines as they are.
 */
final class Preprocessor {
    private static final Pattern OPTION = Pattern.compile("-D\\s*([A-Za-z_]\\w*)(?:=(\\S+))?");
    private static final Pattern DEFINED = Pattern.compile("\\bdefined\\s*(?:\\(\\s*(\\w+)\\s*\\)|(\\w+))");

    /**
     * The bodies of the macros. The body of a macro with parameters is its name, because it is defined but never
     * expanded.
     */
    private final Map<String, String> macros = new HashMap<>();
    /** The conditionals that are open, the innermost first. */
    private final Deque<Conditional> conditionals = new ArrayDeque<>();
    /** Whether the present line is compiled. */
    private boolean compiled = true;

    private boolean inComment;
    private final String text;

    /**
     * An open conditional.
     *
     * @param outer whether the lines around it are compiled
     * @param mayFollow whether one of its later branches may be compiled
     */
    private record Conditional(boolean outer, boolean mayFollow) {}

    /** Processes {@code sources} in this order, as compiled with {@code options}. */
    Preprocessor(List<String> sources, String options) {
        Matcher option = OPTION.matcher(options);
        while (option.find()) {
            macros.put(option.group(1), option.group(2) == null ? "1" : option.group(2));
        }
        StringBuilder lines = new StringBuilder();
        sources.forEach(source -> process(source, lines));
        text = lines.toString();
        if (!conditionals.isEmpty()) {
            throw new CellFuseException("kernel source: #if without #endif");
        }
    }

    /** Returns the lines that are compiled, without directives and comments. Macros are not expanded. */
    String text() {
        return text;
    }

    /** Returns {@code part} with the macros that are defined at the end of the sources. */
    String expand(String part) {
        return expand(part, Set.of());
    }

    private String expand(String part, Set<String> hidden) {
        StringBuilder expanded = new StringBuilder();
        for (int at = 0, end; at < part.length(); at = end) {
            end = wordEnd(part, at);
            String word = part.substring(at, end == at ? ++end : end);
            String body = macros.get(word);
            if (body == null || body.equals(word) || hidden.contains(word)) {
                expanded.append(word);
            } else {
                Set<String> inside = new TreeSet<>(hidden);
                inside.add(word);
                expanded.append(expand(body, inside));
            }
        }
        return expanded.toString();
    }

    /** Returns where the identifier or number that begins at {@code at} ends; {@code at} if there is none. */
    private static int wordEnd(String part, int at) {
        int end = at;
        while (end < part.length() && Character.isJavaIdentifierPart(part.charAt(end))) {
            end++;
        }
        return end;
    }

    private void process(String source, StringBuilder lines) {
        for (int at = 0, end; at < source.length(); at = end + 1) {
            end = lineEnd(source, at);
            String line = source.substring(at, end);
            while (line.endsWith("\\") && end < source.length()) {
                int next = end + 1;
                end = lineEnd(source, next);
                line = line.substring(0, line.length() - 1) + source.substring(next, end);
            }
            process(withoutComments(line).strip(), line, lines);
        }
    }

    private static int lineEnd(String source, int at) {
        int end = source.indexOf('\n', at);
        return end < 0 ? source.length() : end;
    }

    private void process(String line, String written, StringBuilder lines) {
        if (line.startsWith("#")) {
            String directive = line.substring(1).strip();
            int end = wordEnd(directive, 0);
            direct(directive.substring(0, end), directive.substring(end).strip(), written);
        } else if (compiled && !line.isEmpty()) {
            lines.append(line).append('\n');
        }
    }

    /** Replaces each comment by a space. Strings are kept, even if they look like comments. */
    private String withoutComments(String line) {
        if (!inComment) {
            int slash = line.indexOf('/'), quote = line.indexOf('"');
            if (slash < 0) {
                return line;
            }
            if (line.startsWith("//", slash) && (quote < 0 || quote > slash)) {
                return line.substring(0, slash);
            }
        }
        StringBuilder kept = new StringBuilder();
        boolean inString = false;
        for (int at = 0; at < line.length(); at++) {
            char c = line.charAt(at);
            if (inComment) {
                if (line.startsWith("*/", at)) {
                    inComment = false;
                    at++;
                }
            } else if (inString) {
                kept.append(c);
                inString = c != '"' || line.charAt(at - 1) == '\\';
            } else if (line.startsWith("//", at)) {
                break;
            } else if (line.startsWith("/*", at)) {
                inComment = true;
                kept.append(' ');
                at++;
            } else {
                kept.append(c);
                inString = c == '"';
            }
        }
        return kept.toString();
    }

    private void direct(String directive, String rest, String written) {
        switch (directive) {
            case "if" -> begin(compiled && holds(rest));
            case "ifdef" -> begin(compiled && macros.containsKey(rest));
            case "ifndef" -> begin(compiled && !macros.containsKey(rest));
            case "elif" -> {
                Conditional open = end(written);
                compiled = open.outer && open.mayFollow && holds(rest);
                conditionals.push(new Conditional(open.outer, open.mayFollow && !compiled));
            }
            case "else" -> {
                Conditional open = end(written);
                compiled = open.outer && open.mayFollow;
                conditionals.push(new Conditional(open.outer, false));
            }
            case "endif" -> compiled = end(written).outer;
            case "define" -> {
                if (compiled) {
                    define(rest, written);
                }
            }
            case "undef" -> {
                if (compiled) {
                    macros.remove(rest);
                }
            }
            default -> {} // no other directive changes a signature
        }
    }

    private void begin(boolean holds) {
        conditionals.push(new Conditional(compiled, !holds));
        compiled = holds;
    }

    private Conditional end(String written) {
        if (conditionals.isEmpty()) {
            throw new CellFuseException("kernel source: " + written.strip() + " without #if");
        }
        return conditionals.pop();
    }

    private void define(String definition, String written) {
        int end = wordEnd(definition, 0);
        if (end == 0) {
            throw new CellFuseException("kernel source: expected the name of a macro, found " + written.strip());
        }
        String name = definition.substring(0, end);
        boolean hasParameters = definition.startsWith("(", end);
        macros.put(name, hasParameters ? name : definition.substring(end).strip());
    }

    private boolean holds(String condition) {
        String known = DEFINED.matcher(condition).replaceAll(match -> {
            String name = match.group(1) != null ? match.group(1) : match.group(2);
            return macros.containsKey(name) ? "1" : "0";
        });
        return new Condition(expand(known), condition).value() != 0;
    }
}
