package io.github.cellfuse.cl;

/** A program did not compile. Carries its build options and the compiler's log. */
public final class ClBuildException extends ClException {
    private static final long serialVersionUID = 1L;

    /**
     * Lines of the log in the message: the first error explains the failure, and the later ones mostly follow from it.
     */
    private static final int MESSAGE_LINES = 40;

    private static final int MESSAGE_CHARS = 4_000;

    private final String options;
    private final String log;

    ClBuildException(int status, String what, String options, String log) {
        super("clBuildProgram", status, what + " with options \"" + options + "\"\n" + trim(log));
        this.options = options;
        this.log = log;
    }

    /** Returns the option string that the compiler was given. */
    public String options() {
        return options;
    }

    /** Returns the compiler's complete log; the message has only its beginning. */
    public String log() {
        return log;
    }

    /** Returns the first lines of {@code log} and the number of lines left out. */
    static String trim(String log) {
        String text = log.strip();
        if (text.isEmpty()) {
            return "(the compiler left no log)";
        }
        StringBuilder kept = new StringBuilder();
        int lines = 0;
        int total = (int) text.lines().count();
        for (String line : text.lines().toList()) {
            if (lines == MESSAGE_LINES || kept.length() + line.length() > MESSAGE_CHARS) {
                break;
            }
            kept.append(lines == 0 ? "" : "\n").append(line.stripTrailing());
            lines++;
        }
        if (lines == 0) {
            return text.substring(0, MESSAGE_CHARS) + " …";
        }
        return lines == total ? kept.toString() : kept + "\n… (" + (total - lines) + " more lines)";
    }
}
