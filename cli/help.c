#include "cli/help.h"

#include <string.h>

#include "base/text.h"
#include "base/version.h"
#include "cli/commands.h"
#include "contract/candidate_fields.h"

static const char tagline[] =
    "shapes small language models to fit a device before anyone trains them";

static const struct example first_examples[] = {
    {"lathe search --budget 125M --device iphone-13 --db phone.db",
     "price every 125M-parameter shape on a phone"},
    {"lathe top --db phone.db --by decode_ns", "the fastest of them"},
    {"lathe predict mobilellm-125m mobilellm-ls-125m --device iphone-13",
     "how fast known models will be"},
    {"lathe plot front --db phone.db --out front.svg", "draw the trade-off"},
    {NULL, NULL},
};

static const char models_text[] = "MODEL is a preset name ('lathe models' lists them), a Hugging "
                                  "Face config.json, a GGUF file, or "
                                  "RUN:ID, a candidate in the database that --db names.";

static const char exit_text[] =
    "0 done, 1 failed, 2 the command line is wrong. Data goes to standard output, progress and "
    "warnings to standard error.";

static void wrap(FILE *stream, const char *words, int column, int left, int right)
{
    struct text text = {0};
    text_wrap(&text, words, column, left, right);
    fprintf(stream, "%s\n", text.failed || text.data == NULL ? words : text.data);
    text_release(&text);
}

void help_overview(FILE *stream)
{
    fprintf(stream, "lathe %s\n\nUsage: lathe COMMAND [OPTIONS] ...\n\nCommands:\n", tagline);
    for (const struct command *const *command = all_commands; *command != NULL; command++)
        fprintf(stream, "  %-10s %s\n", (*command)->name, (*command)->summary);
    fprintf(stream, "\nExamples:\n");
    for (const struct example *example = first_examples; example->command != NULL; example++)
        fprintf(stream, "  %s\n      %s\n", example->command, example->what);
    fprintf(stream, "\n");
    wrap(stream, models_text, 0, 0, 80);
    fprintf(stream, "\n'lathe COMMAND --help' explains a command and shows examples.\n");
}

static bool has_options(const struct command *command)
{
    return command->options->name != NULL;
}

static void option_synopsis(const struct option *option, char *buffer, size_t size)
{
    snprintf(buffer, size, "--%s%s%s", option->name, option->argument != NULL ? " " : "",
             option->argument != NULL ? option->argument : "");
}

static void option_text(const struct option *option, char *buffer, size_t size)
{
    int n = snprintf(buffer, size, "%s", option->help);
    if (option->kind == OPTION_CHOICE && n >= 0 && (size_t)n < size)
        n += snprintf(buffer + n, size - (size_t)n, ": %s", option->values);
    if (option->fallback != NULL && n >= 0 && (size_t)n < size)
        snprintf(buffer + n, size - (size_t)n, " (default: %s)", option->fallback);
}

/* "--out --db": the options of one kind. */
static void kind_options(const struct command_kind *kind, char *buffer, size_t size)
{
    size_t at = 0;
    for (const char *word = kind->options; *word != 0 && at < size;) {
        size_t length = strcspn(word, " ");
        at += (size_t)snprintf(buffer + at, size - at, "%s--%.*s", at > 0 ? " " : "", (int)length,
                               word);
        word += length + strspn(word + length, " ");
    }
}

static void help_kinds(const struct command *command, int left, int right, FILE *stream)
{
    fprintf(stream, "\nOptions that a %s takes:\n", command->kinds_title);
    for (const struct command_kind *kind = command->kinds; kind->name != NULL; kind++) {
        char text[512];
        kind_options(kind, text, sizeof text);
        fprintf(stream, "  %-*s", left - 2, kind->name);
        wrap(stream, text, left, left, right);
    }
}

void help_command(const struct command *command, FILE *stream)
{
    enum { LEFT = 26, RIGHT = 80 };
    fprintf(stream, "lathe %s: %s\n\nUsage: lathe %s%s%s%s\n", command->name, command->summary,
            command->name, has_options(command) ? " [OPTIONS]" : "",
            *command->operands != 0 ? " " : "", command->operands);
    if (*command->about != 0) {
        fprintf(stream, "\n");
        wrap(stream, command->about, 0, 0, RIGHT);
    }
    if (command->examples->command != NULL)
        fprintf(stream, "\nExamples:\n");
    for (const struct example *example = command->examples; example->command != NULL; example++)
        fprintf(stream, "  %s\n      %s\n", example->command, example->what);
    if (has_options(command))
        fprintf(stream, "\nOptions:\n");
    for (const struct option *option = command->options; option->name != NULL; option++) {
        char synopsis[64], text[512];
        option_synopsis(option, synopsis, sizeof synopsis);
        option_text(option, text, sizeof text);
        int length = fprintf(stream, "  %-*s", LEFT - 3, synopsis);
        if (length >= LEFT)
            fprintf(stream, "\n%*s", LEFT, "");
        else
            fprintf(stream, "%*s", LEFT - length, "");
        wrap(stream, text, LEFT, LEFT, RIGHT);
    }
    if (command->kinds != NULL)
        help_kinds(command, LEFT, RIGHT, stream);
}

/* man(7) reads '.' and '\'' at the start of a line, and '\\' and '-' anywhere. */
static void man_text(FILE *stream, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stream);
    for (; *text != 0; text++) {
        if (*text == '\\')
            fputs("\\e", stream);
        else if (*text == '-')
            fputs("\\-", stream);
        else
            fputc(*text, stream);
        if (*text == '\n' && (text[1] == '.' || text[1] == '\''))
            fputs("\\&", stream);
    }
}

static void man_examples(FILE *stream, const struct example *examples)
{
    for (; examples->command != NULL; examples++) {
        fprintf(stream, ".TP\n.B ");
        man_text(stream, examples->command);
        fprintf(stream, "\n");
        man_text(stream, examples->what);
        fprintf(stream, "\n");
    }
}

static void man_command(FILE *stream, const struct command *command)
{
    fprintf(stream, ".SS \"lathe %s%s%s%s\"\n", command->name,
            has_options(command) ? " [OPTIONS]" : "", *command->operands != 0 ? " " : "",
            command->operands);
    man_text(stream, command->summary);
    fprintf(stream, ".\n");
    if (*command->about != 0) {
        fprintf(stream, ".PP\n");
        man_text(stream, command->about);
        fprintf(stream, "\n");
    }
    for (const struct option *option = command->options; option->name != NULL; option++) {
        char synopsis[64], text[512];
        option_synopsis(option, synopsis, sizeof synopsis);
        option_text(option, text, sizeof text);
        fprintf(stream, ".TP\n.B ");
        man_text(stream, synopsis);
        fprintf(stream, "\n");
        man_text(stream, text);
        fprintf(stream, "\n");
    }
    for (const struct command_kind *kind = command->kinds; kind != NULL && kind->name != NULL;
         kind++) {
        char text[512];
        kind_options(kind, text, sizeof text);
        fprintf(stream, ".TP\n.I ");
        man_text(stream, kind->name);
        fprintf(stream, "\ntakes ");
        man_text(stream, text);
        fprintf(stream, "\n");
    }
    man_examples(stream, command->examples);
}

void help_man(FILE *stream)
{
    fprintf(stream, ".TH LATHE 1 \"\" \"lathe %s\"\n.SH NAME\nlathe \\- ", version_number());
    man_text(stream, tagline);
    fprintf(stream, "\n.SH SYNOPSIS\n.B lathe\n.I COMMAND\n[OPTIONS] ...\n.SH DESCRIPTION\n");
    man_text(stream, models_text);
    fprintf(stream, "\n.SH COMMANDS\n");
    for (const struct command *const *command = all_commands; *command != NULL; command++)
        man_command(stream, *command);
    fprintf(stream, ".SH EXAMPLES\n");
    man_examples(stream, first_examples);
    fprintf(stream, ".SH EXIT STATUS\n");
    man_text(stream, exit_text);
    fprintf(stream, "\n");
}

/* Offers the fields of a candidate that are in one of these places. */
static void completion_names(FILE *stream, unsigned places)
{
    const char *blank = "";
    fprintf(stream, "COMPREPLY=($(compgen -W '");
    for (int i = 0; i < candidate_fields.n; i++) {
        if (!(candidate_fields.field[i].places & places))
            continue;
        fprintf(stream, "%s%s", blank, candidate_fields.field[i].name);
        blank = " ";
    }
    fprintf(stream, "' -- \"$word\"))");
}

/* Words that bash offers for `values`: a command substitution for names, a list otherwise. */
static void completion_words(FILE *stream, const char *values)
{
    if (values == NULL)
        fprintf(stream, ":");
    else if (strcmp(values, "@file") == 0)
        fprintf(stream, "COMPREPLY=($(compgen -f -- \"$word\"))");
    else if (strcmp(values, "@device") == 0)
        fprintf(stream, "COMPREPLY=($(compgen -f -W \"$(lathe devices --names 2>/dev/null)\" "
                        "-- \"$word\"))");
    else if (strcmp(values, "@model") == 0)
        fprintf(stream, "COMPREPLY=($(compgen -f -W \"$(lathe models --names 2>/dev/null)\" "
                        "-- \"$word\"))");
    else if (strcmp(values, "@column") == 0)
        completion_names(stream, IN_STORE);
    else if (strcmp(values, "@metric") == 0)
        completion_names(stream, IN_SEARCH);
    else
        fprintf(stream, "COMPREPLY=($(compgen -W '%s' -- \"$word\"))", values);
}

static void completion_option(FILE *stream, const struct command *command,
                              const struct option *option)
{
    if (option->kind == OPTION_FLAG)
        return;
    fprintf(stream, "    %s,--%s) ", command->name, option->name);
    if (option->kind == OPTION_TYPE || option->kind == OPTION_WEIGHTS) {
        int n_types = option->kind == OPTION_TYPE ? (int)N_DTYPES : (int)N_WEIGHT_TYPES;
        fprintf(stream, "COMPREPLY=($(compgen -W '");
        for (int dtype = 0; dtype < n_types; dtype++)
            fprintf(stream, "%s%s", dtype > 0 ? " " : "", dtype_name((enum dtype)dtype));
        fprintf(stream, "' -- \"$word\"))");
    } else {
        completion_words(stream, option->values);
    }
    fprintf(stream, "; return ;;\n");
}

void help_completion(FILE *stream)
{
    fprintf(stream,
            "# bash completion for lathe\n_lathe()\n{\n"
            "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
            "    local verb=${COMP_WORDS[1]}\n    COMPREPLY=()\n"
            "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
            "        COMPREPLY=($(compgen -W '");
    for (const struct command *const *command = all_commands; *command != NULL; command++)
        fprintf(stream, "%s ", (*command)->name);
    fprintf(stream, "--help --version' -- \"$word\"))\n        return\n    fi\n"
                    "    case \"$verb,$previous\" in\n");
    for (const struct command *const *command = all_commands; *command != NULL; command++)
        for (const struct option *option = (*command)->options; option->name != NULL; option++)
            completion_option(stream, *command, option);
    fprintf(stream, "    esac\n    case \"$verb,$word\" in\n");
    for (const struct command *const *command = all_commands; *command != NULL; command++) {
        fprintf(stream, "    %s,-*) COMPREPLY=($(compgen -W '", (*command)->name);
        for (const struct option *option = (*command)->options; option->name != NULL; option++)
            fprintf(stream, "--%s ", option->name);
        fprintf(stream, "--help' -- \"$word\")) ;;\n    %s,*) ", (*command)->name);
        completion_words(stream, (*command)->operand_values);
        fprintf(stream, " ;;\n");
    }
    fprintf(stream, "    esac\n}\ncomplete -o filenames -F _lathe lathe\n");
}
