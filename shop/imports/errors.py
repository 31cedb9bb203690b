"""Why a sheet as a whole cannot be read, and what is refused around it."""

from __future__ import annotations

from shop.kernel.errors import Invalid, ShopError, sentence


class SheetRefused(Invalid):
    """The file as a whole is of no use; every reason says what to do instead."""

    code, field = "sheet_refused", "file"


class NoFile(SheetRefused):
    code = "no_file"
    message = sentence("Please choose a file.")


class EmptySheet(SheetRefused):
    code = "empty_sheet"
    message = sentence("There is nothing in this file. The first row names the columns, the goods follow below.")


class SheetTooLarge(SheetRefused):
    code, status = "sheet_too_large", 413
    message = sentence("This file is too large: at most 20 MB, and 64 MB unpacked. Leave pictures out, or split it.")


class TooManyRows(SheetRefused):
    code = "too_many_rows"
    message = sentence("This sheet has more than %(most)s rows. Please split it.")


class GoesOnEmpty(SheetRefused):
    code = "goes_on_empty"
    message = sentence("This sheet goes on for more than %(most)s rows, most of them empty. Copy the goods into a new sheet and save that.")


class TooManyColumns(SheetRefused):
    code = "too_many_columns"
    message = sentence("This sheet has more than %(most)s columns. Please delete those that we do not need.")


class NotASheet(SheetRefused):
    code = "not_a_sheet"
    message = sentence("This is no table we can read (%(kind)s). Save it as XLSX or as CSV in UTF-8.")


class OldWorkbook(SheetRefused):
    code = "old_workbook"
    message = sentence("This is an old Excel file (.xls), or one with a password. Open it and save it as .xlsx without a password.")


class WithMacros(SheetRefused):
    code = "with_macros"
    message = sentence("This workbook holds macros. Save it as .xlsx, which has none.")


class BrokenWorkbook(SheetRefused):
    code = "broken_workbook"
    message = sentence("This workbook cannot be read: it is damaged or incomplete. Open it, save it as .xlsx again, and send that.")


class MergedCells(SheetRefused):
    code = "merged_cells"
    message = sentence("The cells %(cells)s are merged. Unmerge them and write the value into every row.")


class UnreadableLetters(SheetRefused):
    code = "unreadable_letters"
    message = sentence("The letters of this file cannot be read. Save it as CSV in UTF-8, or as XLSX.")


class MixedLetters(SheetRefused):
    code = "mixed_letters"
    message = sentence("This file is written partly in UTF-8 and partly in something else. Save it anew as CSV in UTF-8, or as XLSX.")


class BreaksOff(SheetRefused):
    code = "breaks_off"
    message = sentence("This file breaks off in the middle (at row %(row)s). Please save and send it again.")


class BrokenQuotes(SheetRefused):
    code = "broken_quotes"
    message = sentence(
        "In row %(row)s a quotation mark is opened and not closed, or stands in the middle. Within quotes it is written twice."
    )


class CellTooLong(SheetRefused):
    code = "cell_too_long"
    message = sentence("A cell in row %(row)s is longer than %(most)s characters.")


class NoKnownColumns(SheetRefused):
    code = "no_known_columns"
    message = sentence("We do not know the columns of this file (%(found)s). Name them in the first row as in the template.")


class ColumnMissing(SheetRefused):
    code = "column_missing"
    message = sentence("The column %(column)s is missing.")


class ColumnTwice(SheetRefused):
    code = "column_twice"
    message = sentence("Two columns mean the same: %(column)s. Please delete one of them.")


class WhichCurrency(SheetRefused):
    code, field = "which_currency", "currency"
    message = sentence(
        "A file of %(shop)s does not say in which currency its prices are. Say that they are in yuan, or convert them first."
    )


class OtherCurrency(SheetRefused):
    code = "other_currency"
    message = sentence("The prices are in %(currency)s. We sell in yuan: convert them and say so in the head of the column.")


class NotToBeDecided(ShopError):
    code, status = "import_not_open", 409
    message = sentence("This import is not waiting for a decision any more. Nothing was changed by this press.")


class WrongRows(ShopError):
    code, status = "import_has_wrong_rows", 409
    message = sentence("%(rows)s rows are wrong or not confirmed, so nothing was applied. Repair them, or choose the good rows.")


class TooManyAtOnce(ShopError):
    code, status = "import_too_large_at_once", 409
    message = sentence("All or nothing is possible for up to %(most)s rows. Choose the good rows, or split the file.")


class NothingToApply(ShopError):
    code, status = "import_changes_nothing", 409
    message = sentence("No row of this file changes anything.")


class TooManyOpen(ShopError):
    code, status = "too_many_imports", 409
    message = sentence("%(open)s imports of this shop are being read or wait for a decision. Decide about one or drop it first.")
